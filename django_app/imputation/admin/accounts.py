"""Who may log in here, for administrators."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

if TYPE_CHECKING:
    Users = UserAdmin[User]
else:
    Users = UserAdmin

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserPage(Users, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupPage(GroupAdmin, ModelAdmin):
    pass
